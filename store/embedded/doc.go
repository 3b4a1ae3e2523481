// Package embedded runs Postgres and Redis as child processes of our own, so
// that `qoa dev`, the tests and the maintenance commands work on a machine
// where nobody has set up a database.
//
// Postgres comes from the machine's own binaries and listens on a socket only.
// It never runs as root, dies with the process that started it, and keeps its
// data in one folder. Redis is the machine's redis-server, or an in-process
// substitute where there is none: nothing durable depends on which.
//
// A folder is guarded by two locks. The owner lock belongs to the process that
// uses the folder; the kernel drops it however that process ends. The server
// lock is inherited by the server and by every process the server starts, so a
// free server lock proves that nothing is left of an earlier server. Together
// they tell apart "someone else is using this", "an orphan is still going
// down" and "only a stale file is left", which process IDs alone do not.
package embedded
