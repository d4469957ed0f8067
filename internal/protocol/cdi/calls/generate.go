package calls

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol/cdi"
)

// Longest and shortest sequence that Generate makes.
const (
	shortest = 8
	longest  = 28
)

// shares of calls, in percent.
const (
	faultyShare   = 22 // have something wrong with them
	otherVersion  = 12 // speak another version than the rest of their sequence
	curiousShare  = 6  // have something unusual that changes nothing
	maxInstances  = 4  // call numbers are taken modulo the cores that there are
	freshSessions = 45 // are about the newest session
	crowdShare    = 3  // of the sequences begin with a user of many sessions, all revoked at once
	crowd         = 12
)

// Generate makes sequence index of a seed: the same arguments give the same calls.
func Generate(seed uint64, index int, versions []string) []Call {
	g := &generator{r: rand.New(rand.NewPCG(seed, uint64(index))), versions: versions}
	g.home = versions[index%len(versions)]
	if g.percent(crowdShare) {
		g.crowd()
	}
	n := len(g.calls) + shortest + g.r.IntN(longest-shortest)
	for len(g.calls) < n {
		g.next()
	}
	// What chance seldom brings is gone through in order.
	list := faults()
	for i := range errands {
		f := list[(index/len(versions)*errands+i)%len(list)]
		g.errand(f.endpoint, f.fault)
	}
	return g.calls
}

// errands are the calls at the end of a sequence whose faults are not drawn.
const errands = 5

// fault of an endpoint.
type fault struct {
	endpoint *endpoint
	fault    string
}

// faults lists what can be wrong with each endpoint.
func faults() []fault {
	var out []fault
	for i := range endpoints {
		e := &endpoints[i]
		for _, f := range e.faults() {
			out = append(out, fault{e, f})
		}
	}
	return out
}

// errand adds a call with a fault.
func (g *generator) errand(e *endpoint, fault string) {
	c := g.call(e, g.home)
	g.fill(&c, e, g.session())
	c.Fault = ""
	g.spoilBy(&c, e, fault)
	g.calls = append(g.calls, c)
}

// call is one without values.
func (g *generator) call(e *endpoint, version string) Call {
	c := Call{ID: len(g.calls) + 1, Endpoint: e.name, Version: version, Home: version, Method: e.method, Path: e.path, Instance: g.r.IntN(maxInstances)}
	if e.body != nil {
		c.Body = []Field{}
	}
	return c
}

// crowd makes many sessions of one user, ends them in one call, and looks.
func (g *generator) crowd() {
	user := g.user()
	var handles []string
	for range crowd {
		c := g.call(endpointOf("create"), g.home)
		c.Body = []Field{{"userId", quote(user)}, {"enableAntiCsrf", "false"}, {"userDataInJWT", "{}"}, {"userDataInDatabase", "{}"}}
		g.calls = append(g.calls, c)
		handles = append(handles, quote(ref(c.ID, Handle)))
		g.sessions = append(g.sessions, &session{user: user, handle: c.ID, access: []int{c.ID}, refresh: []int{c.ID}})
	}
	c := g.call(endpointOf("remove"), g.home)
	c.Body = []Field{{"userId", quote(user)}}
	if g.percent(50) {
		c.Body = []Field{{"sessionHandles", "[" + strings.Join(handles, ",") + "]"}}
	}
	look := g.call(endpointOf("list"), g.home)
	look.ID, look.Query = c.ID+1, []Field{{"userId", user}}
	g.calls = append(g.calls, c, look)
}

// session is what the generator believes to be there. That a call failed it does not
// know: values that were not given are sent as texts that no core knows.
type session struct {
	user            string
	csrf            []int // calls that gave a value, the newest last
	handle          int
	access, refresh []int
}

type generator struct {
	r        *rand.Rand
	versions []string
	home     string
	calls    []Call
	sessions []*session
	users    []string // templates
}

func (g *generator) percent(n int) bool { return g.r.IntN(100) < n }

func pick[T any](g *generator, list []T) T { return list[g.r.IntN(len(list))] }

// next adds one call.
func (g *generator) next() {
	name := "create"
	if len(g.sessions) > 0 {
		name = g.weighted()
	}
	e := endpointOf(name)
	version := g.home
	if g.percent(otherVersion) {
		version = pick(g, g.versions)
	}
	c := g.call(e, version)
	s := g.session()
	made := g.fill(&c, e, s)
	if g.percent(faultyShare) {
		if g.spoil(&c, e) {
			made = nil
		}
	} else if g.percent(curiousShare) {
		g.curious(&c, e)
	}
	if made != nil {
		made()
	}
	g.calls = append(g.calls, c)
}

func (g *generator) weighted() string {
	sum := 0
	for i := range endpoints {
		sum += endpoints[i].weight
	}
	n := g.r.IntN(sum)
	for i := range endpoints {
		if n -= endpoints[i].weight; n < 0 {
			return endpoints[i].name
		}
	}
	return endpoints[0].name
}

// session is one to do something with, nil when there is none.
func (g *generator) session() *session {
	if len(g.sessions) == 0 {
		return nil
	}
	if g.percent(freshSessions) {
		return g.sessions[len(g.sessions)-1]
	}
	return pick(g, g.sessions)
}

// fill gives the call good or borderline values. What it gives to later calls is
// noted by the function that it returns, unless the call is spoilt.
func (g *generator) fill(c *Call, e *endpoint, s *session) (made func()) {
	set := func(name, text string) { c.Body = append(c.Body, Field{name, text}) }
	ask := func(text string) { c.Query = []Field{{e.query, text}} }
	at := func(v string) bool { return cdi.Compare(c.Version, v) >= 0 }
	switch e.name {
	case "create":
		user := g.user()
		if g.percent(2) {
			user = "" // shared with other sequences: never listed, never revoked by user
		}
		anti := g.percent(30)
		set("userId", quote(user))
		set("enableAntiCsrf", fmt.Sprint(anti))
		set("userDataInJWT", g.payload(c, at(v221)))
		set("userDataInDatabase", g.object())
		g.maybeKeyKind(c, at(v221))
		g.maybeValidity(c, at(v56))
		return func() {
			n := &session{user: user, handle: c.ID, access: []int{c.ID}, refresh: []int{c.ID}}
			if anti {
				n.csrf = []int{c.ID}
			}
			g.sessions = append(g.sessions, n)
		}
	case "verify":
		id := g.recent(s.access)
		set("accessToken", quote(g.token(ref(id, Access), s)))
		check := g.percent(35)
		g.maybeCSRF(c, s)
		set("doAntiCsrfCheck", fmt.Sprint(check || g.percent(20)))
		set("enableAntiCsrf", fmt.Sprint(check || g.percent(20)))
		if at(v221) || g.percent(10) {
			set("checkDatabase", fmt.Sprint(g.percent(65)))
		}
		return func() { s.access = append(s.access, c.ID) } // a replacement token, if any
	case "refresh":
		id := pick(g, s.refresh)
		if g.percent(30) {
			id = g.recent(s.refresh)
		}
		t := ref(id, Refresh)
		switch {
		case g.percent(6):
			t = changed(t, "flip")
		case g.percent(3):
			t = ref(g.recent(s.access), Access)
		case g.percent(3):
			t = pick(g, []string{"", "garbage", "a.b.V2"})
		}
		set("refreshToken", quote(t))
		g.maybeCSRF(c, s)
		anti := g.percent(30)
		set("enableAntiCsrf", fmt.Sprint(anti))
		if at(v50) {
			set("useDynamicSigningKey", fmt.Sprint(g.percent(75)))
		} else {
			g.maybeKeyKind(c, at(v30))
		}
		g.maybeValidity(c, at(v56))
		return func() {
			s.access, s.refresh = append(s.access, c.ID), append(s.refresh, c.ID)
			if anti {
				s.csrf = append(s.csrf, c.ID)
			}
		}
	case "regenerate":
		set("accessToken", quote(g.token(ref(g.recent(s.access), Access), s)))
		if g.percent(70) {
			set("userDataInJWT", g.payload(c, at(v221)))
		}
		return func() { s.access = append(s.access, c.ID) }
	case "remove":
		g.fillRemove(c, s, set)
	case "list":
		user := s.user
		if g.percent(25) {
			user = g.user()
		}
		if user == "" {
			user = "{{run}}nobody"
		}
		ask(user)
		for _, extra := range []string{"fetchAcrossAllTenants", "fetchSessionsForAllLinkedAccounts"} {
			if g.percent(8) {
				c.Query = append(c.Query, Field{extra, pick(g, []string{"true", "TRUE", "false", "yes"})})
			}
		}
	case "get", "get data", "get payload":
		ask(g.handle(c, s))
	case "put data":
		set("sessionHandle", quote(g.handle(c, s)))
		set("userDataInDatabase", g.object())
	case "put payload":
		set("sessionHandle", quote(g.handle(c, s)))
		set("userDataInJWT", g.payload(c, at(v221)))
	}
	return nil
}

func (g *generator) fillRemove(c *Call, s *session, set func(name, text string)) {
	if g.percent(30) {
		user := s.user
		if g.percent(20) {
			user = g.user()
		}
		if user == "" {
			user = "{{run}}nobody"
		}
		set("userId", quote(user))
		for _, extra := range []string{"revokeAcrossAllTenants", "revokeSessionsForLinkedAccounts"} {
			if g.percent(10) {
				set(extra, fmt.Sprint(g.percent(50)))
			}
		}
		return
	}
	var handles []string
	for range 1 + g.r.IntN(3)*g.r.IntN(2) {
		handles = append(handles, quote(g.handle(c, g.session())))
	}
	if g.percent(4) {
		handles = nil
	}
	set("sessionHandles", "["+strings.Join(handles, ",")+"]")
	switch {
	case g.percent(4):
		c.Fault = faultOneOf
		set("userId", quote("{{run}}nobody"))
	case g.percent(4):
		c.Fault = faultOneOf
		set("revokeAcrossAllTenants", "true")
	}
}

// recent chooses a call, the newest more often than not.
func (g *generator) recent(ids []int) int {
	if g.percent(60) {
		return ids[len(ids)-1]
	}
	return pick(g, ids)
}

// token is an access token as it is, or spoilt.
func (g *generator) token(t string, s *session) string {
	switch {
	case g.percent(84):
		return t
	case g.percent(70):
		return changed(t, pick(g, []string{"flip", "cut", "two-parts", "none", "alien"}))
	case g.percent(40):
		return ref(g.recent(s.refresh), Refresh)
	}
	return pick(g, []string{"", "garbage", "a.b.c", "..", "{{run}}"})
}

// handle is the session's, or one that no session has.
func (g *generator) handle(c *Call, s *session) string {
	h := ref(s.handle, Handle)
	if g.percent(85) {
		return h
	}
	switch g.r.IntN(6) {
	case 0:
		return changed(h, "upper")
	case 1:
		return changed(h, "cut")
	case 2:
		c.Fault = faultHandle
		return h + "_nope"
	case 3:
		return h + "'"
	case 4:
		return ""
	}
	return "11111111-1111-4111-8111-111111111111"
}

// user is an id as a template; a few are used again and again in a sequence, among
// them ids that a careless comparison takes for one another.
func (g *generator) user() string {
	if len(g.users) > 0 && g.percent(55) {
		return pick(g, g.users)
	}
	name := pick(g, []string{
		"user", "User", "user ", " user", "usér", "use\u0301r", "us%", "us_r", "use", "users", "user@example.org", `us"er`, "us'er", `us\er`, "用户", "🙂",
		"3f0c8d2e-9a7b-4c1d-8e5f-0a1b2c3d4e5f", strings.Repeat("long", 20), strings.Repeat("x", 100),
	})
	u := "{{run}}" + name
	g.users = append(g.users, u)
	return u
}

// values that a float, a text column or a merge would change.
var members = []string{
	`"a":1`, `"b":"text"`, `"c":true`, `"d":null`, `"e":[1,2,3]`, `"f":{"g":{"h":[]}}`, `"i":1.5`, `"j":12345678901`, `"k":9007199254740993`, `"l":"ünï – 🙂"`,
	`"m":"with \"quotes\" and \\ and \n"`, `"n":""`, `"":"empty name"`, `"o":-0.25`, `"p":[{"q":null},"r",[[]]]`, `"roles":["admin"]`, `"A":"capital"`, `"s":"<&>"`,
}

// object is data to keep with a session.
func (g *generator) object() string {
	if g.percent(25) {
		return "{}"
	}
	var list []string
	for range 1 + g.r.IntN(3) {
		if m := pick(g, members); !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return "{" + strings.Join(list, ",") + "}"
}

// payload is an object, at times with a name that tokens use themselves: refused where
// the version looks.
func (g *generator) payload(c *Call, looks bool) string {
	o := g.object()
	if !g.percent(7) {
		return o
	}
	protected := pick(g, []string{"sub", "iat", "exp", "sessionHandle", "refreshTokenHash1", "parentRefreshTokenHash1", "antiCsrfToken"})
	if looks {
		c.Fault = faultProtected
	} else {
		// What an older version stores under such a name a newer token cannot carry; only
		// names that both kinds of tokens take as data are stored.
		protected = pick(g, []string{"tId", "rsub", "jti"})
	}
	if o == "{}" {
		return "{" + quote(protected) + `:"x"}`
	}
	return strings.TrimSuffix(o, "}") + "," + quote(protected) + `:"x"}`
}

// maybeKeyKind names the kind of signing key, at times also where nobody reads it.
func (g *generator) maybeKeyKind(c *Call, read bool) {
	if read && g.percent(35) || g.percent(3) {
		c.Body = append(c.Body, Field{"useDynamicSigningKey", fmt.Sprint(g.percent(50))})
	}
}

// maybeValidity asks for a life of the access token; the default is an hour, which
// is also the most.
func (g *generator) maybeValidity(c *Call, read bool) {
	switch {
	case read && g.percent(12):
		c.Body = append(c.Body, Field{"accessTokenValidity", pick(g, []string{"600000", "1800000", "3600000"})})
	case read && g.percent(8):
		c.Fault = faultValidity
		c.Body = append(c.Body, Field{"accessTokenValidity", pick(g, []string{"0", "-1", "999999999999999"})})
	case !read && g.percent(3):
		c.Body = append(c.Body, Field{"accessTokenValidity", "-1"})
	}
}

// maybeCSRF sends the right value, a wrong one or none.
func (g *generator) maybeCSRF(c *Call, s *session) {
	switch {
	case len(s.csrf) > 0 && g.percent(70):
		c.Body = append(c.Body, Field{"antiCsrfToken", quote(ref(s.csrf[len(s.csrf)-1], CSRF))})
	case g.percent(12):
		c.Body = append(c.Body, Field{"antiCsrfToken", quote("wrong")})
	}
}

// faults that a call of this endpoint can have.
func (e *endpoint) faults() []string {
	kinds := []string{faultMethod, faultVersion, faultPath}
	if e.body != nil {
		kinds = append(kinds, faultField, faultBody, faultApp)
	}
	if e.query != "" {
		kinds = append(kinds, faultParam)
	}
	switch e.name {
	case "create", "verify":
		kinds = append(kinds, faultTenant)
	case "get", "remove":
		kinds = append(kinds, faultHandle)
	}
	return kinds
}

// spoil makes the call a bad one; false when it could not.
func (g *generator) spoil(c *Call, e *endpoint) bool {
	return g.spoilBy(c, e, pick(g, e.faults()))
}

func (g *generator) spoilBy(c *Call, e *endpoint, fault string) bool {
	if fault != faultField {
		c.Fault = fault
	}
	switch fault {
	case faultMethod:
		c.Method, c.Query, c.Body = "OPTIONS", nil, nil
	case faultVersion:
		c.Endpoint, c.Version = "any", pick(g, []string{"2.6", "99.0", "abc", "v5.0", "2.22", "3.2", "1.0"})
		if (e.name == "hello" || e.name == "key set" || e.name == "versions") && c.Version != "abc" {
			c.Version = "99.0" // there it need not be one of the list
		}
	case faultPath:
		c.Endpoint, c.Path = faultPath, c.Path+"/nothing"
	case faultBody:
		raw := pick(g, []string{"", "[]", "null", `"x"`, `{"userId":`, "{]"})
		c.Raw, c.Body = &raw, nil
	case faultApp:
		c.Path = "/appid-nope" + c.Path
	case faultTenant:
		c.Path = "/nope" + c.Path
	case faultParam:
		c.Query = nil
	case faultHandle:
		strange := "11111111-1111-4111-8111-111111111111_nope"
		if e.query != "" {
			c.Query = []Field{{e.query, strange}}
		} else {
			c.Body = []Field{{"sessionHandles", "[" + quote(strange) + "]"}}
		}
	case faultField:
		return g.spoilField(c, e)
	}
	return true
}

// spoilField takes a required field away or gives one a value of another kind.
func (g *generator) spoilField(c *Call, e *endpoint) bool {
	f := pick(g, e.body)
	i := slices.IndexFunc(c.Body, func(b Field) bool { return b.Name == f.name })
	if i >= 0 && f.must(c.Version) && g.percent(35) {
		c.Body = slices.Delete(c.Body, i, i+1)
	} else {
		bad := pick(g, wrong[f.kind])
		if i >= 0 {
			c.Body[i].Text = bad
		} else {
			c.Body = append(c.Body, Field{f.name, bad})
		}
	}
	if !f.read(c.Version) {
		return false // nobody looks at it
	}
	c.Fault = faultField
	return true
}

// curious changes what must change nothing.
func (g *generator) curious(c *Call, e *endpoint) {
	switch g.r.IntN(4) {
	case 0:
		c.Path += "/"
	case 1:
		c.Path = pick(g, []string{"/public", "/appid-public", "/appid-public/public"}) + c.Path
	case 2:
		c.Path = strings.ToUpper(c.Path[:1]) + c.Path[1:]
	case 3:
		if e.body != nil {
			c.Body = append(c.Body, Field{extraField, pick(g, []string{"1", "null", `{"a":[]}`})})
		}
	}
}

// quote writes a text as JSON; placeholders stay as they are.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}
