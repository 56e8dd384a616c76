package folder

import "syscall"

func fillTimes(st *Stat, sys *syscall.Stat_t) {
	st.Ctime = sys.Ctimespec.Nano()
	st.Btime = sys.Birthtimespec.Nano()
}
