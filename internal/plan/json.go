package plan

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"google.golang.org/protobuf/types/known/structpb"
)

// written is a recording as JSON. Properties have the form of Pulumi's protocol, which keeps unknown values and assets.
// Secret values are left out.
type written struct {
	Error         string            `json:"error,omitempty"`
	Resources     []writtenResource `json:"resources"`
	Exports       map[string]any    `json:"exports"`
	SecretExports []string          `json:"secretExports,omitempty"`
	Logs          []Log             `json:"logs,omitempty"`
}

type writtenResource struct {
	Resource
	Inputs  map[string]any `json:"inputs,omitempty"`
	State   map[string]any `json:"state,omitempty"`
	Outputs map[string]any `json:"outputs,omitempty"`
}

// secret replaces secret values.
const secret = "[secret]"

// MarshalJSON writes the recording without its secrets. The result is deterministic.
func (r *Recording) MarshalJSON() ([]byte, error) {
	w := written{SecretExports: r.SecretExports, Logs: r.Logs}
	if r.Err != nil {
		w.Error = r.Err.Error()
	}
	var err error
	if w.Exports, err = toJSON(r.Exports, r.SecretExports); err != nil {
		return nil, fmt.Errorf("plan: outputs: %w", err)
	}
	for _, res := range r.Resources {
		out := writtenResource{Resource: *res}
		for _, part := range []struct {
			from resource.PropertyMap
			to   *map[string]any
		}{{res.Inputs, &out.Inputs}, {res.State, &out.State}, {res.Outputs, &out.Outputs}} {
			if *part.to, err = toJSON(part.from, res.Secrets); err != nil {
				return nil, fmt.Errorf("plan: %s: %w", res.Name, err)
			}
		}
		w.Resources = append(w.Resources, out)
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads the output of MarshalJSON.
func (r *Recording) UnmarshalJSON(data []byte) error {
	var w written
	if err := json.Unmarshal(data, &w); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	*r = Recording{SecretExports: w.SecretExports, Logs: w.Logs}
	if w.Error != "" {
		r.Err = errors.New(w.Error)
	}
	var err error
	if r.Exports, err = Properties(w.Exports); err != nil {
		return fmt.Errorf("plan: outputs: %w", err)
	}
	for _, in := range w.Resources {
		res := in.Resource
		for _, part := range []struct {
			from map[string]any
			to   *resource.PropertyMap
		}{{in.Inputs, &res.Inputs}, {in.State, &res.State}, {in.Outputs, &res.Outputs}} {
			if *part.to, err = Properties(part.from); err != nil {
				return fmt.Errorf("plan: %s: %w", res.Name, err)
			}
		}
		r.Resources = append(r.Resources, &res)
	}
	return nil
}

func toJSON(m resource.PropertyMap, secrets []string) (map[string]any, error) {
	if m == nil {
		return nil, nil
	}
	m = m.Copy()
	for _, s := range secrets {
		path, err := resource.ParsePropertyPath(s)
		if err != nil {
			return nil, err
		}
		if _, there := path.Get(resource.NewProperty(m)); there {
			path.Set(resource.NewProperty(m), resource.NewProperty(secret))
		}
	}
	s, err := plugin.MarshalProperties(m, keep)
	if err != nil {
		return nil, err
	}
	return s.AsMap(), nil
}

// Properties reads properties in the form of Pulumi's protocol, which its states and `pulumi preview --json` have too.
func Properties(m map[string]any) (resource.PropertyMap, error) {
	if m == nil {
		return nil, nil
	}
	s, err := structpb.NewStruct(m)
	if err != nil {
		return nil, err
	}
	return plugin.UnmarshalProperties(s, keep)
}
