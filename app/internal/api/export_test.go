package api

// Routes lists every route as "METHOD /pattern", for the comparison with openapi.json.
func (a *API) Routes() []string {
	var all []string
	for _, rt := range a.routes() {
		all = append(all, rt.method+" "+rt.pattern)
	}
	return all
}

// ParseJSON is what reads every JSON body.
func ParseJSON(data []byte, v any) error { return parseJSON(data, v) }

// AccountBody is what POST and PUT of an account take.
type AccountBody = accountBody
