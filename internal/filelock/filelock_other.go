//go:build !unix

package filelock

import "os"

func Try(*os.File) (bool, error) { return true, nil }
