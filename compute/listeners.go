package compute

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/edge"
	"cinema-database/internal/component"
)

// tlsPolicy allows TLS 1.3, and TLS 1.2 with forward secrecy. Elastic Load Balancing recommends it.
const tlsPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"

// createListeners registers the listeners. With host names, HTTPS has a rule for each and answers 404 to others. Without,
// there is only HTTP. A public load balancer redirects HTTP to HTTPS where it has both; the edge uses one of them.
func (b *apiBuilder) createListeners() error {
	forward := lb.ListenerDefaultActionArgs{Type: pulumi.String("forward"), TargetGroupArn: b.targets[edge.ServiceAPI].Arn}
	if len(b.args.Hosts) == 0 {
		http, err := b.listen("http", 80, forward, nil)
		if err != nil {
			return err
		}
		b.setServiceListener(http)
		return nil
	}
	if !b.args.Internal {
		if _, err := b.listen("http", 80, lb.ListenerDefaultActionArgs{
			Type: pulumi.String("redirect"),
			Redirect: lb.ListenerDefaultActionRedirectArgs{
				Port: pulumi.String("443"), Protocol: pulumi.String("HTTPS"), StatusCode: pulumi.String("HTTP_301"),
			},
		}, nil); err != nil {
			return err
		}
	}
	https, err := b.listen("https", 443, lb.ListenerDefaultActionArgs{
		Type: pulumi.String("fixed-response"),
		FixedResponse: lb.ListenerDefaultActionFixedResponseArgs{
			StatusCode: pulumi.String("404"), ContentType: pulumi.String("text/plain"),
			MessageBody: pulumi.String("no service has this name"),
		},
	}, b.args.CertificateARN)
	if err != nil {
		return err
	}
	for _, h := range b.args.Hosts {
		name, priority := b.balancerName("host", h.Name), h.Priority()
		if b.args.Services {
			priority = h.PriorityBehind()
		}
		rule, err := lb.NewListenerRule(b.Ctx, name, &lb.ListenerRuleArgs{
			ListenerArn: https.Arn,
			Priority:    pulumi.Int(priority),
			Conditions: lb.ListenerRuleConditionArray{lb.ListenerRuleConditionArgs{
				HostHeader: lb.ListenerRuleConditionHostHeaderArgs{Values: pulumi.StringArray{pulumi.String(h.Name)}},
			}},
			Actions: lb.ListenerRuleActionArray{lb.ListenerRuleActionArgs{
				Type: pulumi.String("forward"), TargetGroupArn: b.targets[h.Service].Arn,
			}},
			Tags: b.Tags(name),
		}, b.Child())
		if err != nil {
			return err
		}
		b.attached = append(b.attached, rule)
	}
	b.setServiceListener(https)
	return nil
}

// setServiceListener sets the listener to which services in containers add their rules.
func (b *apiBuilder) setServiceListener(listener *lb.Listener) {
	if b.args.Services {
		b.out.ServiceListenerARN = component.After(listener.Arn, b.attached...)
	}
}

// listen registers a listener, for HTTPS if it has a certificate.
func (b *apiBuilder) listen(name string, port int, action lb.ListenerDefaultActionArgs, certificate pulumi.StringPtrInput) (*lb.Listener, error) {
	name = b.balancerName(name)
	args := &lb.ListenerArgs{
		LoadBalancerArn: b.balancer.Arn,
		Port:            pulumi.Int(port),
		Protocol:        pulumi.String("HTTP"),
		DefaultActions:  lb.ListenerDefaultActionArray{action},
		Tags:            b.Tags(name),
	}
	if certificate != nil {
		args.Protocol, args.SslPolicy, args.CertificateArn = pulumi.String("HTTPS"), pulumi.String(tlsPolicy), certificate
	}
	listener, err := lb.NewListener(b.Ctx, name, args, b.Child())
	if err != nil {
		return nil, err
	}
	b.attached = append(b.attached, listener)
	return listener, nil
}
