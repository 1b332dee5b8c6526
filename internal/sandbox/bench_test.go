package sandbox_test

import (
	"fmt"
	"testing"

	"cinema-database/internal/sandbox"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// BenchmarkUp times the creation of a stack of 100 resources, three levels deep, from nothing.
func BenchmarkUp(b *testing.B) {
	program := func(ctx *pulumi.Context) error {
		vpc, err := ec2.NewVpc(ctx, "vpc", &ec2.VpcArgs{CidrBlock: pulumi.String("10.0.0.0/16")})
		if err != nil {
			return err
		}
		for i := range 33 {
			subnet, err := ec2.NewSubnet(ctx, fmt.Sprintf("subnet-%d", i), &ec2.SubnetArgs{VpcId: vpc.ID(),
				CidrBlock: pulumi.String(fmt.Sprintf("10.0.%d.0/24", i))})
			if err != nil {
				return err
			}
			table, err := ec2.NewRouteTable(ctx, fmt.Sprintf("table-%d", i), &ec2.RouteTableArgs{VpcId: vpc.ID()})
			if err != nil {
				return err
			}
			if _, err = ec2.NewRouteTableAssociation(ctx, fmt.Sprintf("association-%d", i), &ec2.RouteTableAssociationArgs{
				SubnetId: subnet.ID(), RouteTableId: table.ID()}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, quick := range []bool{false, true} {
		b.Run(fmt.Sprintf("quick=%t", quick), func(b *testing.B) {
			for range b.N {
				s := open(b, sandbox.Options{Program: alone(program), Dir: b.TempDir(), Quick: quick})
				if _, err := s.Up(b.Context()); err != nil {
					b.Fatal(err)
				}
				s.Close()
			}
		})
	}
}
