// Package whatsapp is the channel over WhatsApp's multi-device protocol, by
// whatsmeow: each number is a linked device ("companion") of somebody's phone.
//
//	Fleet    the numbers that this process owns, by leases in Postgres
//	session  one number: connected, listening, sending, told apart by its lease
//
// Three rules hold the rest together. What is received is persisted before it
// is acknowledged (receive.go). A device is connected by whoever holds its
// lease, and by nobody else (fleet.go, session.go). The keys of a contact are
// read, used and written back by one at a time (guard.go).
package whatsapp
