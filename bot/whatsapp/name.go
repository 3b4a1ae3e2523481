package whatsapp

// Name is what inbox and outbox call this channel.
const Name = "whatsapp"
