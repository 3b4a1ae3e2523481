package wasim

import (
	"strconv"
	"time"
)

// farewell is how long a device that logs in anew is given for the end of its
// former connection to be noticed, before it counts as connected twice.
const farewell = 500 * time.Millisecond

// login decides about a client that says it is a device already.
func (s *Server) login(c *conn) {
	number := strconv.FormatUint(c.who.payload.GetUsername(), 10)
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.touch()
	a := s.accounts[number]
	if a == nil {
		c.last(LoggedOut.node())
		return
	}
	d := a.device(uint16(c.who.payload.GetDevice()))
	if d == nil || d.phone() || d.noise != c.who.static {
		c.last(LoggedOut.node())
		return
	}
	if f := a.faults.failure(); f != nil {
		c.last(f.node())
		return
	}
	for former := d.conn; former != nil; former = d.conn {
		s.await(former)
		if d.conn != former {
			continue
		}
		if !former.over {
			s.overlaps = append(s.overlaps, Overlap{Device: d.LID(), At: time.Now()})
			former.last(replaced())
		}
		d.disconnected(former)
	}
	if c.over || d.unlinked {
		return
	}
	c.device, d.conn = d, c
	d.logins++
	c.send(node{Tag: "success", Attrs: attrs{"t": unix(time.Now()), "lid": d.LID(), "location": "wasim", "props": "1"}})
}

// await waits for a connection to end, without the lock.
func (s *Server) await(c *conn) {
	s.mu.Unlock()
	defer s.mu.Lock()
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	select {
	case <-c.gone:
	case <-timer.C:
	}
}
