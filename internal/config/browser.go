package config

// Browser returns what opens web pages: the command that is configured, "" for
// the system's own. wanted is false where addresses are only to be shown.
//
// npm takes any text for true once the configuration is validated, and starts
// the system's browser; here the command counts that npm documents. One that a
// project's .npmrc names does not: a repository starts no programs.
func (c *Config) Browser() (command string, wanted bool) {
	v, layer := c.find("browser")
	if v.kind == Bool && !v.Truthy() {
		return "", false
	}
	if layer != User && layer != Global && layer != Environment || c.chosenByProject(layer) {
		return "", true
	}
	raw, _ := c.layers[layer].raw.get("browser")
	if raw.kind != String {
		return "", true
	}
	switch text := expand(raw.str, c.getenv, nil); text {
	case "true", "null":
		return "", true
	default:
		return text, true
	}
}
