package embedded

import "syscall"

// dieWithParent has the kernel send sig to the child when we end in any way,
// kill -9 included.
func dieWithParent(a *syscall.SysProcAttr, sig syscall.Signal) { a.Pdeathsig = sig }
