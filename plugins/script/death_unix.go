//go:build !windows && !linux

package main

import "syscall"

// dieWithParent has no means here: a program ends when its pipes break.
func dieWithParent(*syscall.SysProcAttr) {}

// holdThread has nothing to keep here.
func holdThread() (release func()) { return func() {} }
