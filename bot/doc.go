// Package bot is the door of WhatsApp: it answers messages by running flows
// against the store, and hands messages to a channel.
//
// A turn is one message: understood, stepped through its flow, its actions
// carried out, the answer put into the outbox, all in one transaction (law 3).
package bot
