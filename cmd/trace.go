package cmd

import (
	"fmt"
	"os"
	"runtime/pprof"
	"runtime/trace"
	"strings"
)

// profile takes --cpuprofile <file> and --trace <file>, with "=" or without, out
// of the arguments and starts to write what they ask for; stop ends it. Both are
// ibid's own, for the people who make it faster: they work for each command and
// from its first step, so they are read before the configuration.
func profile(args []string) (rest []string, stop func(), err error) {
	var ends []func()
	stop = func() {
		for _, end := range ends {
			end()
		}
	}
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			rest = append(rest, args[i:]...)
			break
		}
		var start func(f *os.File) (end func(), err error)
		flag, file, ok := strings.Cut(args[i], "=")
		switch flag {
		case "--cpuprofile":
			start = func(f *os.File) (func(), error) { return pprof.StopCPUProfile, pprof.StartCPUProfile(f) }
		case "--trace":
			start = func(f *os.File) (func(), error) { return trace.Stop, trace.Start(f) }
		}
		if !ok && start != nil && i+1 < len(args) {
			i++
			file, ok = args[i], true
		}
		if !ok || start == nil {
			rest = append(rest, args[i])
			continue
		}
		f, err := os.Create(file)
		if err != nil {
			return nil, stop, fmt.Errorf("profile: %w", err)
		}
		end, err := start(f)
		if err != nil {
			f.Close()
			return nil, stop, fmt.Errorf("profile %s: %w", file, err)
		}
		ends = append(ends, func() { end(); f.Close() })
	}
	return rest, stop, nil
}
