package image

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// key is the config key of the image, see internal/config.
const key = "cinema:ami"

// file is a stack's config file. It is edited as text: an encoder would lose blank lines and change the form of values.
type file struct {
	lines [][]byte
	// config are the keys and values of the mapping "config", one after the other.
	config []*yaml.Node
}

func parse(text []byte) (*file, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 1 {
		top := document.Content[0].Content
		for i := 0; i+1 < len(top); i += 2 {
			if c := top[i+1]; top[i].Value == "config" && c.Kind == yaml.MappingNode && c.Style&yaml.FlowStyle == 0 {
				return &file{lines: bytes.SplitAfter(text, []byte("\n")), config: c.Content}, nil
			}
		}
	}
	return nil, errors.New("there is no mapping \"config\" with a key on each line")
}

// find returns the value of a key, nil if there is none.
func (f *file) find(key string) *yaml.Node {
	for i := 0; i+1 < len(f.config); i += 2 {
		if f.config[i].Value == key {
			return f.config[i+1]
		}
	}
	return nil
}

func (f *file) value(key string) string {
	if v := f.find(key); v != nil {
		return v.Value
	}
	return ""
}

// set returns the text with another image: in the line of the key, or in a line after the region.
func (f *file) set(id string) []byte {
	lines := slices.Clone(f.lines)
	if v := f.find(key); v != nil {
		line := string(lines[v.Line-1])
		written, rest := line[:v.Column-1], line[v.Column-1:]
		length := len(v.Value)
		if v.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			length += 2
		}
		lines[v.Line-1] = []byte(written + id + rest[length:])
		return bytes.Join(lines, nil)
	}
	region := f.find("aws:region")
	added := fmt.Sprintf("%s%s: %s\n", strings.Repeat(" ", f.config[0].Column-1), key, id)
	if last := string(lines[region.Line-1]); !strings.HasSuffix(last, "\n") {
		lines[region.Line-1] = []byte(last + "\n")
	}
	return bytes.Join(slices.Insert(lines, region.Line, []byte(added)), nil)
}
