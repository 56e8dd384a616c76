package nodesemver

import "sync"

// Cache keeps parsed ranges and versions by their text: a registry has few
// different ones, and resolution asks for them again and again. The zero value
// is ready; goroutines may share it.
type Cache struct {
	mu       sync.RWMutex
	ranges   [4]map[string]cachedRange
	versions [2]map[string]*Version // nil where it is no version
}

type cachedRange struct {
	r   *Range
	err error
}

func (o Options) index() int {
	i := 0
	if o.Loose {
		i |= 1
	}
	if o.IncludePrerelease {
		i |= 2
	}
	return i
}

// Range is ParseRange, remembered.
func (c *Cache) Range(s string, o Options) (*Range, error) {
	i := o.index()
	c.mu.RLock()
	hit, ok := c.ranges[i][s]
	c.mu.RUnlock()
	if ok {
		return hit.r, hit.err
	}
	hit.r, hit.err = ParseRange(s, o)
	c.mu.Lock()
	if c.ranges[i] == nil {
		c.ranges[i] = map[string]cachedRange{}
	}
	c.ranges[i][s] = hit
	c.mu.Unlock()
	return hit.r, hit.err
}

// Version is Parse, remembered; nil where s is no version.
func (c *Cache) Version(s string, loose bool) *Version {
	i := Options{Loose: loose}.index()
	c.mu.RLock()
	v, ok := c.versions[i][s]
	c.mu.RUnlock()
	if ok {
		return v
	}
	v = parse(s, loose)
	c.mu.Lock()
	if c.versions[i] == nil {
		c.versions[i] = map[string]*Version{}
	}
	c.versions[i][s] = v
	c.mu.Unlock()
	return v
}

// Satisfies is the package's Satisfies, remembered.
func (c *Cache) Satisfies(version, rng string, o Options) bool {
	r, err := c.Range(rng, o)
	if err != nil {
		return false
	}
	v := c.Version(version, o.Loose)
	return v != nil && r.Match(v)
}
