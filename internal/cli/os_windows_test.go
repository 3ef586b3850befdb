package cli_test

import "golang.org/x/sys/windows"

const brokenPipe = windows.ERROR_NO_DATA
