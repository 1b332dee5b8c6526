package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// retries is how often a part is uploaded again after a failure, and the time before that.
var retries = remote.Backoff{Duration: time.Second, Factor: 1.5, Jitter: 0.1, Steps: 4}

// answerWithin limits how long a registry may take to answer once it has the whole request.
const answerWithin = 2 * time.Minute

// push is an image on its way to a repository.
type push struct {
	*image
	target
	out     *screen
	network http.RoundTripper
}

func runPush(ctx context.Context, o options, out *screen) error {
	b, err := newBuilder(ctx, o, out)
	if err != nil {
		return err
	}
	target, err := findTarget(ctx, b.root, o)
	if err != nil {
		return err
	}
	image, err := b.build(ctx)
	if err != nil {
		return err
	}
	network := remote.DefaultTransport.(*http.Transport).Clone()
	network.ResponseHeaderTimeout = answerWithin
	defer network.CloseIdleConnections()
	if err := (push{image, target, out, network}).run(ctx); err != nil {
		return err
	}
	out.say("image: %s", o.tag)
	out.say("digest: %s", image.digest)
	return nil
}

// run uploads what the repository does not have, and sets the tag at the end.
func (p push) run(ctx context.Context) error {
	there, err := p.tagged(ctx)
	switch {
	case err != nil:
		return p.explain(err)
	case there == p.digest:
		p.already()
		return nil
	case there != v1.Hash{}:
		return p.taken(there)
	}
	watched := newUpload(p.network, p.image, p.out)
	err = remote.Push(p.Tag, p.whole, p.login, remote.WithContext(ctx), remote.WithTransport(watched), remote.WithRetryBackoff(retries))
	if hasCode(err, transport.TagInvalidErrorCode) { // somebody else was faster
		if there, err := p.tagged(ctx); err == nil && there == p.digest {
			p.already()
			return nil
		} else if err == nil && there != (v1.Hash{}) {
			return p.taken(there)
		}
	}
	if err != nil {
		return p.explain(err)
	}
	p.out.say("pushed to %s", p.Tag)
	return nil
}

// tagged returns the digest that the tag names, zero if there is none or the identity may not know.
func (p push) tagged(ctx context.Context) (v1.Hash, error) {
	found, err := remote.Head(p.Tag, p.login, remote.WithContext(ctx), remote.WithTransport(p.network), remote.WithRetryBackoff(retries))
	var refused *transport.Error
	switch {
	case err == nil:
		return found.Digest, nil
	case errors.As(err, &refused) && (refused.StatusCode == http.StatusNotFound || refused.StatusCode == http.StatusForbidden):
		return v1.Hash{}, nil
	}
	return v1.Hash{}, err
}

func (p push) already() { p.out.say("%s is this image already", p.Tag) }

// taken is the error for a tag that names another image.
func (p push) taken(other v1.Hash) error {
	return fmt.Errorf("tag %s: names another image in %s, and a tag is never moved: %s, and this one is %s; push under another --tag",
		p.TagStr(), p.Repository, other, p.digest)
}

// explain adds the remedy to an error of the registry.
func (p push) explain(err error) error {
	var refused *transport.Error
	if !errors.As(err, &refused) {
		return fmt.Errorf("push to %s: %w; run the command again: parts that the repository has are not uploaded again", p.Tag, err)
	}
	remedy := "run the command again later"
	switch {
	case hasCode(err, transport.NameUnknownErrorCode):
		remedy = "the repository does not exist: `pulumi up` creates it for a service of cinema:services"
	case hasCode(err, transport.TagInvalidErrorCode):
		remedy = "push under another --tag"
	case refused.StatusCode == http.StatusUnauthorized:
		remedy = "the registry refuses the login: use the account of the repository, or for a registry other than ECR `docker login " + p.RegistryStr() + "`"
	case refused.StatusCode == http.StatusForbidden:
		remedy = "the identity may not push there: use one that may, such as the stack's push role"
	}
	return fmt.Errorf("push to %s: %w; %s", p.Tag, err, remedy)
}

// hasCode reports whether a registry has refused a request with a code.
func hasCode(err error, code transport.ErrorCode) bool {
	var refused *transport.Error
	return errors.As(err, &refused) && slices.ContainsFunc(refused.Errors, func(d transport.Diagnostic) bool { return d.Code == code })
}
