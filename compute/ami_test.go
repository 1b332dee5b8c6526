package compute

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestArchitectureOfInstanceTypes(t *testing.T) {
	for typ, want := range map[string]Architecture{
		"t4g.nano": ARM64, "m7g.2xlarge": ARM64, "c7gn.16xlarge": ARM64, "x2gd.metal": ARM64, "a1.medium": ARM64, "im4gn.large": ARM64,
		"t3.micro": AMD64, "t3a.small": AMD64, "m7i-flex.large": AMD64, "g4dn.xlarge": AMD64, "m5d.metal": AMD64, "m7i.metal-24xl": AMD64,
		"t4g": "", "large": "", "t4g.huge": "", "": "", "t4g.nano ": "",
	} {
		got, ok := architectureOf(typ)
		assert.Equal(t, want, got, typ)
		assert.Equal(t, want != "", ok, typ)
	}
}
