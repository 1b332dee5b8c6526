package sandbox

import "cinema-database/internal/awssim"

// OnCreate has f called with each type that the account has made, before the engine hears of it.
func (s *Session) OnCreate(f func(typ string)) {
	s.provider.account = watched{s.account, f}
}

type watched struct {
	*awssim.Account
	f func(typ string)
}

func (w watched) Create(r awssim.Request) (string, awssim.Properties, error) {
	id, state, err := w.Account.Create(r)
	if err == nil {
		w.f(r.Type)
	}
	return id, state, err
}

// KillEngine kills the CLI that is running.
func (s *Session) KillEngine() {
	if p := s.cli.running.Load(); p != nil {
		_ = p.Kill()
	}
}
