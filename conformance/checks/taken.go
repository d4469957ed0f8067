package checks

import (
	"context"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// takenValues are the values of dimensions that a core takes from live users. What it
// refuses is left out, and told, since nothing is known of revokes there.
type takenValues struct {
	manners, users []string
	// off says whether the flag-off side takes part: it knows the sessions of the other
	// one, and may be asked about them before, and told of the revoke.
	off     bool
	except  []exception
	leftOut []string
}

// exception is cases that ask for what the core refuses: those with one of the values of
// each of its dimensions.
type exception map[string][]string

// taken asks as live users do. What an SDK sends a core must take. It, or what stands
// before it, may refuse what others add to the protocol, HTTP/1.0, or users' ids with
// marks, by an answer or by ending the connection.
func taken(ctx context.Context, c *T, at map[string][]Instance) (*takenValues, error) {
	v := &takenValues{manners: had(c, mannerUsual, mannerSDK)}
	for _, m := range v.manners {
		no, err := refusedOf(protocol.WithManner(ctx, protocol.Manner(m)), enters(&protocol.Tokens{}, c.NewUser(), nil, c.On()[0]))
		if err == nil && len(no) > 0 {
			err = no[0].trouble()
		}
		if err != nil {
			return nil, err
		}
	}
	others := had(c, mannerProxied, mannerGateway, mannerNewer, mannerOlder, mannerTenants)
	no := make([][]refusedIn, len(others)+1)
	if err := conformance.Each(ctx, len(no), len(no), func(ctx context.Context, i int) (err error) {
		if i < len(others) {
			calls := func(at Instance) []probe { return lifetime(c.NewUser(), at) }
			no[i], err = inEachVersion(protocol.WithManner(ctx, protocol.Manner(others[i])), c, at, i, calls, calls)
		} else if c.On()[0].Has(protocol.VerbNames) { // else the harness names no user
			// Who takes such a user must be able to end his sessions: that is a rule.
			no[i], err = inEachVersion(ctx, c, at, i,
				func(at Instance) []probe { return reads(marked(c.NewUser()), at) },
				func(at Instance) []probe { return reads(c.NewUser(), at) })
		}
		return err
	}); err != nil {
		return nil, err
	}
	for i, m := range others {
		v.sort(c, &v.manners, dimManner, m, no[i])
	}
	if c.On()[0].Has(protocol.VerbNames) {
		v.users = []string{userPlain, userUUID, userMail}
		v.sort(c, &v.users, dimUser, userMarks, no[len(others)])
	}
	return v, v.askOff(ctx, c)
}

// had are manners in which the client's requests differ: with others nothing would be met.
func had(c *T, manners ...string) []string {
	return slices.DeleteFunc(manners, func(m string) bool {
		return m != mannerUsual && !protocol.HasManner(c.On()[0].Core, protocol.Manner(m))
	})
}

// refusedIn is a refusal and the versions in which it was met.
type refusedIn struct {
	turned
	versions []string
}

// inEachVersion makes a live user's calls at one instance in each version of the cases.
func inEachVersion(ctx context.Context, c *T, at map[string][]Instance, nth int, calls, usual func(at Instance) []probe) (list []refusedIn, err error) {
	for _, version := range makers(c) {
		one := at[version][nth%len(at[version])]
		no, err := refusals(ctx, func() []probe { return calls(one) }, func() []probe { return usual(one) })
		if err != nil {
			return nil, err
		}
		for _, r := range no {
			if i := slices.IndexFunc(list, func(x refusedIn) bool { return x.what == r.what }); i >= 0 {
				list[i].versions = append(list[i].versions, version)
			} else {
				list = append(list, refusedIn{r, []string{version}})
			}
		}
	}
	return list, nil
}

// sort adds a value to those that are taken, but for the cases that ask for what is
// refused; where that is all cases, the value is left out.
func (v *takenValues) sort(c *T, taken *[]string, dimension, value string, no []refusedIn) {
	for _, r := range no {
		if _, all := r.uses(c); all {
			v.leave(c, dimension+" "+value, r.how())
			return
		}
	}
	*taken = append(*taken, value)
	for _, r := range no {
		list, _ := r.uses(c)
		for _, e := range list {
			e[dimension] = []string{value}
			v.except = append(v.except, e)
		}
		if len(list) > 0 {
			how := r.how()
			if len(r.versions) < len(makers(c)) {
				how += ", spoken to in version " + strings.Join(r.versions, ", ")
			}
			v.leave(c, dimension+" "+value+" with "+r.what, how)
		}
	}
}

// uses are the cases that make the call in the versions in which it was refused; all where
// there is none without it.
func (r refusedIn) uses(c *T) (list []exception, all bool) {
	tried := slices.Contains(r.versions, c.Version())
	switch r.what {
	case toCreate:
		return []exception{{dimMaker: r.versions}}, tried
	case toVerify:
		return []exception{{dimMaker: r.versions, dimOrigin: {originPromotion}}}, tried
	case toRevoke:
		return []exception{{dimRevoker: r.versions}}, tried
	case toRevokeUser:
		return []exception{{dimRevoker: r.versions, dimVerb: {verbUser}}}, false
	case toRegenerate:
		return []exception{{dimMaker: r.versions, dimOrigin: {originRegenerate}}}, false
	case toRefresh:
		list = []exception{{dimMaker: r.versions, dimOrigin: {originRefresh, originRefreshes, originPromotion}}}
		if tried {
			list = append(list, exception{dimRead: {readRefresh}}, exception{dimAfter: {afterRefresh}})
		}
	case toGet:
		if tried {
			list = []exception{{dimRead: {readGet}}}
		}
	case toList:
		if tried {
			list = []exception{{dimRead: {readList}}}
		}
	}
	return list, false
}

func (v *takenValues) leave(c *T, what, how string) {
	c.Observe("not "+what, how)
	v.leftOut = append(v.leftOut, what+": "+how)
}

// askOff asks the flag-off side in the same ways about sessions of the other side.
func (v *takenValues) askOff(ctx context.Context, c *T) error {
	if len(c.Off()) == 0 || !c.On()[0].Has(protocol.VerbSameTokens) {
		return nil
	}
	v.off = true
	for _, m := range v.manners {
		if err := v.askOffAs(ctx, c, dimManner, m, c.NewUser); err != nil {
			return err
		}
	}
	if slices.Contains(v.users, userMarks) {
		return v.askOffAs(ctx, c, dimUser, userMarks, func() string { return marked(c.NewUser()) })
	}
	return nil
}

const offSide = "at the core whose flag is off"

func (v *takenValues) askOffAs(ctx context.Context, c *T, dimension, value string, user func() string) error {
	usually := dimension == dimManner && value == mannerUsual
	if dimension == dimManner {
		ctx = protocol.WithManner(ctx, protocol.Manner(value))
	}
	told := map[string]bool{}
	for _, at := range c.Off() {
		usual := func() []probe { return beside(c.NewUser(), c.On()[0], at) }
		if usually {
			usual = nil
		}
		no, err := refusals(ctx, func() []probe { return beside(user(), c.On()[0], at) }, usual)
		if err != nil {
			return err
		}
		for _, r := range no {
			e := offUses(r.what)
			if e == nil {
				return r.trouble() // to log in at the other side
			}
			what := offSide + " with " + r.what
			if !usually { // else in no manner
				e[dimension], what = []string{value}, dimension+" "+value+" "+what
			}
			if v.allowsSome(e) && !told[what] {
				v.except = append(v.except, e)
				v.leave(c, what, r.how())
				told[what] = true
			}
		}
	}
	return nil
}

// offUses are the cases that make a call at the flag-off side; nil for none.
func offUses(what string) exception {
	switch what {
	case toVerify:
		return exception{dimRead: {readUnchecked}}
	case toRevoke:
		return exception{dimRevoker: {revokerOff}}
	case toRevokeUser:
		return exception{dimRevoker: {revokerOff}, dimVerb: {verbUser}}
	}
	return nil
}

// allowsSome says whether there are cases of e that are not left out anyway.
func (v *takenValues) allowsSome(e exception) bool {
	one := map[string]string{}
	for d, list := range e {
		one[d] = list[0] // a flag-off side's exception has one value of each
	}
	return v.allowed(one)
}

// allowed says whether a case asks for nothing that the core refuses.
func (v *takenValues) allowed(values map[string]string) bool {
	return !slices.ContainsFunc(v.except, func(e exception) bool {
		for d, list := range e {
			if !slices.Contains(list, values[d]) {
				return false
			}
		}
		return true
	})
}
