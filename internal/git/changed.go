package git

import (
	"context"
	"strings"
)

// Changed lists the files below dir that differ from where HEAD left ref, with
// what is not committed yet and what git does not know yet. Paths are relative
// to dir, slashes forward.
func (c *Client) Changed(ctx context.Context, dir, ref string) ([]string, error) {
	diff, err := c.run(ctx, dir, dir, "diff", "--name-only", "--no-renames", "-z", "--relative", "--merge-base", "--end-of-options", ref, "--")
	if err != nil {
		return nil, err
	}
	others, err := c.run(ctx, dir, dir, "ls-files", "-z", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	var files []string
	for name := range strings.SplitSeq(diff+others, "\x00") {
		if name != "" {
			files = append(files, name)
		}
	}
	return files, nil
}
