package provenance

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// PayloadType is the type of the statements.
const PayloadType = "application/vnd.in-toto+json"

// A Subject is the package that a statement is about.
type Subject struct {
	Name   string // purl
	SHA512 string // of its tarball, in hexadecimal
}

// PURL is the package URL of a version (npm: npm-package-arg toPurl).
func PURL(name, version string) string {
	return "pkg:npm/" + strings.Replace(name, "@", "%40", 1) + "@" + version
}

// A CI is a service whose jobs a statement can be made of.
type CI uint8

// The services that npm makes statements for.
const (
	GitHub CI = iota + 1
	GitLab
)

// environ makes values of variables as JavaScript does of process.env.
type environ func(name string) (value string, ok bool)

// text is a variable within a template: one that is not set is the word
// "undefined".
func (e environ) text(name string) string {
	if v, ok := e(name); ok {
		return v
	}
	return "undefined"
}

// value is a variable as a member's value: one that is not set is left out.
func (e environ) value(name string) jsjson.Value {
	if v, ok := e(name); ok {
		return jsjson.NewString(v)
	}
	return jsjson.Value{}
}

// Statement is the in-toto statement of a CI's job, byte for byte as npm makes it
// (npm: libnpmpublish lib/provenance.js).
func Statement(ci CI, s Subject, env func(name string) (value string, ok bool)) []byte {
	e := environ(env)
	subject := list(object("name", str(s.Name), "digest", object("sha512", str(s.SHA512))))
	if ci == GitLab {
		return jsjson.Append(nil, object(
			"_type", str("https://in-toto.io/Statement/v0.1"),
			"subject", subject,
			"predicateType", str("https://slsa.dev/provenance/v0.2"),
			"predicate", e.gitlab(),
		), "", "")
	}
	return jsjson.Append(nil, object(
		"_type", str("https://in-toto.io/Statement/v1"),
		"subject", subject,
		"predicateType", str("https://slsa.dev/provenance/v1"),
		"predicate", e.github(),
	), "", "")
}

func (e environ) github() jsjson.Value {
	repository := e.text("GITHUB_SERVER_URL") + "/" + e.text("GITHUB_REPOSITORY")
	workflow, _ := e("GITHUB_WORKFLOW_REF")
	workflow = strings.Replace(workflow, e.text("GITHUB_REPOSITORY")+"/", "", 1)
	// Where there is no "@", JavaScript's slice(0, -1) takes off the last letter.
	path, ref, ok := strings.Cut(workflow, "@")
	if !ok {
		path, ref = workflow[:max(len(workflow)-1, 0)], workflow
	}
	return object(
		"buildDefinition", object(
			"buildType", str("https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1"),
			"externalParameters", object("workflow", object("ref", str(ref), "repository", str(repository), "path", str(path))),
			"internalParameters", object("github", object(
				"event_name", e.value("GITHUB_EVENT_NAME"),
				"repository_id", e.value("GITHUB_REPOSITORY_ID"),
				"repository_owner_id", e.value("GITHUB_REPOSITORY_OWNER_ID"),
			)),
			"resolvedDependencies", list(object(
				"uri", str("git+"+repository+"@"+e.text("GITHUB_REF")),
				"digest", object("gitCommit", e.value("GITHUB_SHA")),
			)),
		),
		"runDetails", object(
			"builder", object("id", str("https://github.com/actions/runner/"+e.text("RUNNER_ENVIRONMENT"))),
			"metadata", object("invocationId", str(repository+"/actions/runs/"+e.text("GITHUB_RUN_ID")+"/attempts/"+e.text("GITHUB_RUN_ATTEMPT"))),
		),
	)
}

// gitlabParameters are the variables that GitLab's statement repeats, in npm's
// order.
const gitlabParameters = `CI CI_API_GRAPHQL_URL CI_API_V4_URL CI_BUILD_BEFORE_SHA CI_BUILD_ID CI_BUILD_NAME CI_BUILD_REF
CI_BUILD_REF_NAME CI_BUILD_REF_SLUG CI_BUILD_STAGE CI_COMMIT_BEFORE_SHA CI_COMMIT_BRANCH CI_COMMIT_REF_NAME
CI_COMMIT_REF_PROTECTED CI_COMMIT_REF_SLUG CI_COMMIT_SHA CI_COMMIT_SHORT_SHA CI_COMMIT_TIMESTAMP CI_COMMIT_TITLE
CI_CONFIG_PATH CI_DEFAULT_BRANCH CI_DEPENDENCY_PROXY_DIRECT_GROUP_IMAGE_PREFIX CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX
CI_DEPENDENCY_PROXY_SERVER CI_DEPENDENCY_PROXY_USER CI_JOB_ID CI_JOB_NAME CI_JOB_NAME_SLUG CI_JOB_STAGE CI_JOB_STARTED_AT
CI_JOB_URL CI_NODE_TOTAL CI_PAGES_DOMAIN CI_PAGES_URL CI_PIPELINE_CREATED_AT CI_PIPELINE_ID CI_PIPELINE_IID
CI_PIPELINE_SOURCE CI_PIPELINE_URL CI_PROJECT_CLASSIFICATION_LABEL CI_PROJECT_DESCRIPTION CI_PROJECT_ID CI_PROJECT_NAME
CI_PROJECT_NAMESPACE CI_PROJECT_NAMESPACE_ID CI_PROJECT_PATH CI_PROJECT_PATH_SLUG CI_PROJECT_REPOSITORY_LANGUAGES
CI_PROJECT_ROOT_NAMESPACE CI_PROJECT_TITLE CI_PROJECT_URL CI_PROJECT_VISIBILITY CI_REGISTRY CI_REGISTRY_IMAGE
CI_REGISTRY_USER CI_RUNNER_DESCRIPTION CI_RUNNER_ID CI_RUNNER_TAGS CI_SERVER_HOST CI_SERVER_NAME CI_SERVER_PORT
CI_SERVER_PROTOCOL CI_SERVER_REVISION CI_SERVER_SHELL_SSH_HOST CI_SERVER_SHELL_SSH_PORT CI_SERVER_URL CI_SERVER_VERSION
CI_SERVER_VERSION_MAJOR CI_SERVER_VERSION_MINOR CI_SERVER_VERSION_PATCH CI_TEMPLATE_REGISTRY_HOST GITLAB_CI GITLAB_FEATURES
GITLAB_USER_ID GITLAB_USER_LOGIN RUNNER_GENERATE_ARTIFACTS_METADATA`

func (e environ) gitlab() jsjson.Value {
	var parameters []jsjson.Member
	for name := range strings.FieldsSeq(gitlabParameters) {
		parameters = append(parameters, jsjson.Member{Key: name, Value: e.value(name)})
	}
	source := str("git+" + e.text("CI_PROJECT_URL"))
	commit := object("sha1", e.value("CI_COMMIT_SHA"))
	return object(
		"buildType", str("https://github.com/npm/cli/gitlab/v0alpha1"),
		"builder", object("id", str(e.text("CI_PROJECT_URL")+"/-/runners/"+e.text("CI_RUNNER_ID"))),
		"invocation", object(
			"configSource", object("uri", source, "digest", commit, "entryPoint", e.value("CI_JOB_NAME")),
			"parameters", jsjson.NewObject(parameters...),
			"environment", object(
				"name", e.value("CI_RUNNER_DESCRIPTION"),
				"architecture", e.value("CI_RUNNER_EXECUTABLE_ARCH"),
				"server", e.value("CI_SERVER_URL"),
				"project", e.value("CI_PROJECT_PATH"),
				"job", object("id", e.value("CI_JOB_ID")),
				"pipeline", object("id", e.value("CI_PIPELINE_ID"), "ref", e.value("CI_CONFIG_PATH")),
			),
		),
		"metadata", object(
			"buildInvocationId", str(e.text("CI_JOB_URL")),
			"completeness", object("parameters", jsjson.NewBool(true), "environment", jsjson.NewBool(true), "materials", jsjson.NewBool(false)),
			"reproducible", jsjson.NewBool(false),
		),
		"materials", list(object("uri", source, "digest", commit)),
	)
}

// object makes an object of keys and jsjson.Values in turn.
func object(pairs ...any) jsjson.Value {
	members := make([]jsjson.Member, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		members = append(members, jsjson.Member{Key: pairs[i].(string), Value: pairs[i+1].(jsjson.Value)})
	}
	return jsjson.NewObject(members...)
}

func list(items ...jsjson.Value) jsjson.Value { return jsjson.NewArray(items...) }

func str(s string) jsjson.Value { return jsjson.NewString(s) }
