// Package jobs is the door of time: it answers what waits in the inbox, sends
// what waits in the outbox, and does what the clock says, through asynq.
//
// Postgres is the truth, Redis is a bell (law 4): a task carries IDs only, and
// says no more than "look there". What a lost task left behind is found by the
// sweep, so neither an emptied nor an absent Redis loses a message. What was rung
// in a process that can do it itself is done there at once, and passes through no
// queue. A WhatsApp number's messages have a queue of their own, which the number's
// owner serves: see Numbers. Task IDs
// make doubles rare and row states make them harmless, so any number of
// workers and schedulers may run.
package jobs
