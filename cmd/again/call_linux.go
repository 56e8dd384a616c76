//go:build linux && (amd64 || arm64)

package again

import (
	"syscall"
	"unsafe"
)

// Args are the arguments of this process, with the program's name.
func Args() []string { return records("/proc/self/cmdline") }

// records reads a file of texts that each end in a NUL; nil where it cannot.
func records(path string) []string {
	data, err := readFile(path, nil)
	if err != nil {
		return nil
	}
	all := string(data)
	var out []string
	for start, i := 0, 0; i < len(all); i++ {
		if all[i] == 0 {
			out = append(out, all[start:i])
			start = i + 1
		}
	}
	return out
}

// This is the call that this process is. The environment is read as the system
// has it: package syscall would make a map of it first.
func This() (Call, bool) {
	c := Call{Args: Args(), Environ: records("/proc/self/environ")}
	if c.Args == nil {
		return c, false
	}
	var buf [4096]byte
	n, err := syscall.Readlink("/proc/self/exe", buf[:])
	if err != nil || n == len(buf) {
		return c, false
	}
	c.Exe = string(buf[:n])
	if c.Cwd, err = syscall.Getwd(); err != nil {
		return c, false
	}
	c.Umask = syscall.Umask(0o77)
	syscall.Umask(c.Umask)
	for i := range c.Terminals {
		var t syscall.Termios
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(i+1), syscall.TCGETS, uintptr(unsafe.Pointer(&t)))
		c.Terminals[i] = errno == 0
	}
	return c, true
}

// readFile reads a whole file, or, where there is a goOn, one of this user's, and only
// its beginning if goOn does not want more.
func readFile(path string, goOn func(beginning []byte) bool) ([]byte, error) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if goOn != nil && int(st.Uid) != syscall.Geteuid() {
		return nil, syscall.EPERM // sudo may leave HOME as it was
	}
	// Files in /proc have no size.
	b := make([]byte, 0, max(st.Size+1, 4096))
	for {
		end := cap(b)
		if len(b) == 0 && goOn != nil {
			end = 4096
		}
		n, err := syscall.Read(fd, b[len(b):end])
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return b, nil
		}
		if b = b[:len(b)+n]; len(b) == n && goOn != nil && !goOn(b) {
			return b, nil
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

const atFdcwd = -100

// look takes the mark of a path, which ends in a NUL, as it is now.
func look(path []byte, m *Mark) error {
	var st syscall.Stat_t
	cwd := atFdcwd
	_, _, errno := syscall.RawSyscall6(sysFstatat, uintptr(cwd), uintptr(unsafe.Pointer(&path[0])),
		uintptr(unsafe.Pointer(&st)), atSymlinkNofollow, 0, 0)
	switch errno {
	case 0:
	case syscall.ENOENT, syscall.ENOTDIR:
		*m = Mark{}
		return nil
	default:
		return errno
	}
	*m = Mark{Ino: st.Ino, Modified: st.Mtim.Nano(), Changed: st.Ctim.Nano()}
	if st.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		m.Size = st.Size
	}
	return nil
}

const atSymlinkNofollow = 0x100

// Look takes the mark of a path as it is now.
func Look(path string) (Mark, error) {
	var m Mark
	err := look(append([]byte(path), 0), &m)
	m.Path = path
	return m, err
}

// Try answers the call that this process is, if it can: it says what there is to say,
// and does not return where a program is to be run.
func (c *Call) Try() bool {
	var start, end syscall.Timeval
	syscall.Gettimeofday(&start)
	file := c.File()
	if file == "" {
		return false
	}
	// Most calls are others than the one that is answered, whose file is large.
	data, err := readFile(file, c.begins)
	if err != nil {
		return false
	}
	a, ok := c.answer(data, look)
	if !ok {
		return false
	}
	if p := a.Program; p != nil {
		// The first process of a container is spared the signals that it does
		// not ask for: a script that is it would not hear that it is to stop.
		if syscall.Getpid() == 1 {
			return false
		}
		syscall.Write(2, []byte(a.Text[0]))
		return syscall.Exec(p.Path, p.Args, p.Environ) == nil
	}
	if a.Output != "" {
		return say(a.Output)
	}
	if a.Text != [2]string{} {
		syscall.Gettimeofday(&end)
		syscall.Write(2, []byte(a.Text[0]+decimal((end.Nano()-start.Nano())/1e6)+"ms"+a.Text[1]))
	}
	return true
}

// say writes a text to stdout. It says false where nothing was written, and ends
// the process where something was and no more can be.
func say(text string) bool {
	rest := []byte(text)
	for len(rest) > 0 {
		n, err := syscall.Write(1, rest)
		switch {
		case err == nil:
			rest = rest[n:]
		case err == syscall.EINTR:
		case len(rest) == len(text):
			return false
		case err == syscall.EAGAIN: // a pipe that somebody made so that it does not wait
			pause := syscall.Timespec{Nsec: 1e6}
			syscall.Nanosleep(&pause, nil)
		default:
			syscall.Exit(1)
		}
	}
	return true
}

func decimal(n int64) string {
	var b [20]byte
	i := len(b)
	for n = max(n, 0); ; n /= 10 {
		i--
		b[i] = byte('0' + n%10)
		if n < 10 {
			return string(b[i:])
		}
	}
}
