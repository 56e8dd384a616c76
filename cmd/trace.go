package cmd

import (
	"fmt"
	"os"
	"runtime/pprof"
	"runtime/trace"
	"strings"
)

// profile takes --cpuprofile=<file> and --trace=<file> out of the arguments and
// starts to write what they ask for; stop ends it. Both are ibid's own, for the
// people who make it faster: they work for each command and from its first
// step, so they are read before the configuration.
func profile(args []string) (rest []string, stop func(), err error) {
	var ends []func()
	stop = func() {
		for _, end := range ends {
			end()
		}
	}
	for i, arg := range args {
		if arg == "--" {
			rest = append(rest, args[i:]...)
			break
		}
		var start func(f *os.File) (end func(), err error)
		file, ok := strings.CutPrefix(arg, "--cpuprofile=")
		if ok {
			start = func(f *os.File) (func(), error) { return pprof.StopCPUProfile, pprof.StartCPUProfile(f) }
		} else if file, ok = strings.CutPrefix(arg, "--trace="); ok {
			start = func(f *os.File) (func(), error) { return trace.Stop, trace.Start(f) }
		} else {
			rest = append(rest, arg)
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
