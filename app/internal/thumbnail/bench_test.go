package thumbnail

import (
	"bytes"
	"testing"

	"cinema-database/app/internal/testimage"
)

func BenchmarkMake12Megapixels(b *testing.B) {
	source := testimage.JPEG(4000, 3000)
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Make(bytes.NewReader(source)); err != nil {
			b.Fatal(err)
		}
	}
}
