package folder

import "math"

// MaxOpen is how many files and folders the process may have open at once: as
// many as there is memory for.
func MaxOpen() int { return math.MaxInt32 }
