package compute

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOrderOfMembers(t *testing.T) {
	zones := []string{"a", "b", "c"}
	running := func(zones ...string) (live []LiveMember) {
		for _, z := range zones {
			live = append(live, LiveMember{Zone: z})
		}
		return live
	}
	for name, c := range map[string]struct {
		zones   []string
		live    []LiveMember
		restore string
		primary string
		ill     []string
		turns   [][]string
		said    string
	}{
		"a new stack":         {zones: zones},
		"one member":          {zones: zones[:1], live: running("a"), primary: "a"},
		"one becomes three":   {zones: zones, live: running("a"), primary: "a", turns: [][]string{{"a"}}},
		"no known primary":    {zones: zones, live: running("a", "b", "c"), turns: [][]string{{"c"}, {"b"}, {"a"}}, said: "members change one at a time: c, b, then a"},
		"the primary is last": {zones: zones, live: running("a", "b", "c"), primary: "c", turns: [][]string{{"b"}, {"a"}, {"c"}}, said: "members change one at a time: b, a, then c, the primary, which hands over first"},
		"one is not healthy":  {zones: zones, live: running("a", "b", "c"), primary: "c", ill: []string{"a"}, turns: [][]string{{"a"}, {"b"}, {"c"}}, said: "members change one at a time: a, b, then c, the primary, which hands over first"},
		"one is lost":         {zones: zones, live: running("a", "c"), primary: "a", turns: [][]string{{"c"}, {"a"}}, said: "members change one at a time: c, then a, the primary, which hands over first"},
		"one moves away":      {zones: zones, live: running("a", "b", "d"), primary: "d", turns: [][]string{{"b"}, {"a"}}, said: "members change one at a time: b, then a"},
		"a restore": {zones: zones, live: running("a", "b", "c"), primary: "b", restore: "snap-1", turns: [][]string{{"a"}, {"b", "c"}},
			said: "members are restored: a from the snapshot, then b and c copy it"},
		"a new stack from a snapshot": {zones: zones, restore: "snap-1"},
		"after a restore": {zones: zones, live: []LiveMember{{Zone: "a", RestoredFrom: "snap-1"}, {Zone: "b", RestoredFrom: "snap-1"}}, primary: "a", restore: "snap-1",
			turns: [][]string{{"b"}, {"a"}}, said: "members change one at a time: b, then a, the primary, which hands over first"},
	} {
		t.Run(name, func(t *testing.T) {
			order := DatabaseSettings{RestoreFrom: c.restore}.Order(c.zones, c.live, c.primary, c.ill)
			assert.Equal(t, c.turns, order.Turns)
			assert.Equal(t, c.said, order.String())
		})
	}
}

func TestHostsOfMembers(t *testing.T) {
	for zone, want := range map[string]string{
		"us-east-1a": "mongo-a.cinema.internal", "us-east-1-wl1-bos-wlz-1": "mongo-wl1-bos-wlz-1.cinema.internal",
	} {
		assert.Equal(t, want, Members("us-east-1", []string{zone})[0].Host)
	}
}
