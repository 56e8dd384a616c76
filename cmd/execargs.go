package cmd

func execArgs(args []string) []string { return append([]string{"exec"}, args...) }
