// Package workspaces finds the workspaces of a project.
package workspaces

// Contains reports whether dir is one of the workspaces of the project in root.
func Contains(root, dir string) (bool, error) { return false, nil }
