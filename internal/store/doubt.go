package store

import (
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/internal/folder"
)

// Doubt looks at a folder of packages that is about to be removed from a
// project, and has the store doubt what was written to after it was lent: once
// the files are removed, their inodes tell no more of it than of the removal.
// installed is when the project's last install ended, in Unix nanoseconds, 0 if
// that is not known.
//
// A package's files are linked one right after the other, so a file whose inode
// changed apart from its neighbours', or after the install, was touched by
// something else. Its time of modification is set to now, which spoils its tree.
// What cannot be looked at is left alone: it is only a second line of defence.
func Doubt(f *folder.Folder, installed int64) {
	if !canLend {
		return
	}
	d := doubter{installed: installed}
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	entries, err := f.ReadDir()
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.Dir {
			eg.Go(func() error {
				if child, err := f.Child(e.Name); err == nil {
					d.entry(e.Name, child)
					child.Close()
				}
				return nil
			})
		}
	}
	eg.Wait()
}

type doubter struct{ installed int64 }

// packages looks at a folder whose folders are packages, or scopes of such.
func (d *doubter) packages(f *folder.Folder) {
	entries, err := f.ReadDir()
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.Dir {
			continue
		}
		if child, err := f.Child(e.Name); err == nil {
			d.entry(e.Name, child)
			child.Close()
		}
	}
}

// entry looks at a package, or at a scope of such.
func (d *doubter) entry(name string, f *folder.Folder) {
	if strings.HasPrefix(name, "@") {
		d.packages(f)
		return
	}
	var p lentFiles
	d.files(f, &p)
	d.judge(&p)
}

// lentFiles are the files of one package that the store has as well.
type lentFiles struct {
	count       int
	first, last int64 // changes of their inodes
	dir, name   string
}

// files looks at a package's folder and those in it that are no packages.
func (d *doubter) files(f *folder.Folder, p *lentFiles) {
	entries, err := f.ReadDir()
	if err != nil {
		return
	}
	var st folder.Stat
	for _, e := range entries {
		switch {
		case e.Link:
		case e.Dir:
			child, err := f.Child(e.Name)
			if err != nil {
				continue
			}
			if e.Name == "node_modules" {
				d.packages(child)
			} else {
				d.files(child, p)
			}
			child.Close()
		case f.Lstat(e.Name, &st) == nil && st.Mode.IsRegular() && st.Nlink > 1 && st.Ctime != 0:
			if p.count == 0 || st.Ctime < p.first {
				p.first = st.Ctime
			}
			if p.count == 0 || st.Ctime > p.last {
				p.last, p.dir, p.name = st.Ctime, f.Path(), e.Name
			}
			p.count++
		}
	}
}

// judge spoils the file that was touched last, if any was touched.
func (d *doubter) judge(p *lentFiles) {
	if p.count == 0 || p.last-p.first <= together(p.count) && (d.installed == 0 || p.last <= d.installed) {
		return
	}
	if f, err := folder.Open(p.dir); err == nil {
		_ = f.Touch(p.name)
		f.Close()
	}
}
