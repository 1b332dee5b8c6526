package stack

import (
	"strings"
	"testing"

	"cinema-database/app"
	"cinema-database/app/contract"
	"cinema-database/compute"
	"cinema-database/internal/testutil/pulumitest"
)

// BenchmarkPlan times one plan of the whole program, with every resource answered by the model of AWS at once:
// what is left is the program's own time. It plans the built binaries where they are there, because reading
// and checking them is part of a plan.
//
//	make app && go test ./stack -run '^$' -bench '^BenchmarkPlan$' -benchmem
func BenchmarkPlan(b *testing.B) {
	program := programOn(app.Find)
	if _, err := app.Find(contract.Cinema, string(compute.ARM64)); err != nil {
		b.Logf("stand-ins replace the binaries: %v", err)
		program = programOn(standIns)
	}
	for _, name := range stacks {
		config := pulumitest.StackConfig(b, "Pulumi."+name+".yaml")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var r *pulumitest.Recording
			for b.Loop() {
				if r = pulumitest.Run(b, program, pulumitest.Stack("cinema", name), pulumitest.Config(config)); r.Err != nil {
					b.Fatal(r.Err)
				}
			}
			chain := longestChain(r)
			var names []string
			for _, res := range chain {
				names = append(names, res.Name)
			}
			b.ReportMetric(float64(len(custom(r))), "resources")
			b.ReportMetric(float64(len(chain)), "in-a-row")
			b.ReportMetric(r.Export("userDataBytes.api").NumberValue(), "api-user-data-bytes")
			b.ReportMetric(r.Export("userDataBytes.database").NumberValue(), "database-user-data-bytes")
			b.Logf("longest chain of %s: %s", name, strings.Join(names, " > "))
		})
	}
}
