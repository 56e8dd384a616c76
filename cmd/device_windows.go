package cmd

// crossDevice says that two folders are on different file systems; files are
// never linked here.
func crossDevice(error) bool { return false }
