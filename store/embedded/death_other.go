//go:build unix && !linux

package embedded

import "syscall"

// dieWithParent does nothing: only Linux offers it. Elsewhere a server that
// outlives a kill -9 is stopped by the next start on its folder.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}
