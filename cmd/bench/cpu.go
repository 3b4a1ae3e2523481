package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// processor time comes in ticks of a hundredth of a second (USER_HZ, which Linux
// has promised never to change for programs).
const tick = 10 * time.Millisecond

// stat is what /proc says of a process.
type stat struct {
	name     string
	parent   int
	own      time.Duration
	children time.Duration // that have ended
}

func readStat(pid int) (s stat, err error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return s, err
	}
	// The name, in parentheses, may hold anything.
	from, to := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	fields := bytes.Fields(b[to+1:])
	if len(fields) < 15 {
		return s, fmt.Errorf("/proc/%d/stat: %d fields", pid, len(fields))
	}
	var n [5]int
	for i, at := range []int{1, 11, 12, 13, 14} { // ppid, utime, stime, cutime, cstime
		if n[i], err = strconv.Atoi(string(fields[at])); err != nil {
			return s, err
		}
	}
	return stat{name: string(b[from+1 : to]), parent: n[0], own: time.Duration(n[1]+n[2]) * tick, children: time.Duration(n[3]+n[4]) * tick}, nil
}

// cpuOf is the processor time that a process has used.
func cpuOf(pid int) time.Duration {
	s, err := readStat(pid)
	if err != nil {
		return 0
	}
	return s.own
}

// cpuOfFamily is that of a process, its children, and those that have ended: a
// Postgres server with all its backends.
func cpuOfFamily(pid int) time.Duration {
	for {
		before, err := readStat(pid)
		if err != nil {
			return 0
		}
		sum := before.own + before.children
		for _, child := range childrenOf(pid) {
			sum += child.own
		}
		// One that ended meanwhile would count twice, or not at all.
		if after, err := readStat(pid); err != nil || after.children == before.children {
			return sum
		}
	}
}

// cpuOfRedis is that of the Redis that this process started.
func cpuOfRedis() (sum time.Duration) {
	for _, child := range childrenOf(os.Getpid()) {
		if child.name == "redis-server" {
			sum += child.own
		}
	}
	return sum
}

// childrenOf a process that live.
func childrenOf(pid int) (found []stat) {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		child, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if s, err := readStat(child); err == nil && s.parent == pid {
			found = append(found, s)
		}
	}
	return found
}

// cpuOfOurs is what this process has used: the load's own cost.
func cpuOfOurs() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
