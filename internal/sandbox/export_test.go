package sandbox

import "cinema-database/internal/awssim"

// OnCreate calls f after each creation in the account, before the engine gets the answer.
func (s *Session) OnCreate(f func(typ string)) {
	s.provider.account = observed{s.account, f}
}

type observed struct {
	*awssim.Account
	f func(typ string)
}

func (o observed) Create(r awssim.Request) (string, awssim.Properties, error) {
	id, state, err := o.Account.Create(r)
	if err == nil {
		o.f(r.Type)
	}
	return id, state, err
}

// KillEngine kills the running CLI.
func (s *Session) KillEngine() {
	if p := s.cli.running.Load(); p != nil {
		_ = p.Kill()
	}
}
