//go:build !unix

package dev

import "os"

func tryLock(*os.File) (bool, error) { return true, nil }
