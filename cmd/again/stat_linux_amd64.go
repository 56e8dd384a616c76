package again

import "syscall"

const sysFstatat = syscall.SYS_NEWFSTATAT
