// Package cloud reaches people through Meta's WhatsApp Business Cloud API: it
// takes Meta's signed webhook and sends by HTTP.
//
// # Once, and where it may be twice
//
// What comes in is acknowledged after its commit; whatever fails before is
// answered with an error, and Meta sends it again, for days. The same message
// twice is one by its ID.
//
// What goes out has an ID of Meta's choosing (the wamid), which is known only
// when the request has been answered: the API knows no ID of the sender's. So
// each message carries ours as opaque data, which comes back in its statuses,
// and before any send the outbox row is asked whether Meta has it already. What
// remains is a window: a process that dies, or a connection that breaks, after
// Meta has accepted the message and before its wamid is noted, while no status
// comes for as long as the row is claimed or put off (about half a minute; a
// status takes a second or two). Then the person reads that message twice. It is
// never lost.
package cloud
