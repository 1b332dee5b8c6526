package thumbnailer

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"cinema-database/app/contract"
)

// ignored is a record of an event for which there is nothing to do, now or at a retry.
type ignored struct {
	event, key, reason string
}

// originalName is the form of a key without contract.OriginalsPrefix, as the API writes it: <id>.<extension>.
var originalName = regexp.MustCompile(`^([A-Za-z0-9_-]{1,64})\.[a-z0-9]{1,8}$`)

// parse parses an S3 event notification. The error means that it is none.
func parse(raw json.RawMessage) (originals []Original, skipped []ignored, err error) {
	var event events.S3Event
	if err := json.Unmarshal(raw, &event); err != nil {
		return nil, nil, fmt.Errorf("thumbnailer: event: %w", err)
	}
	for _, record := range event.Records {
		bucket, key := record.S3.Bucket.Name, record.S3.Object.URLDecodedKey
		skip := func(reason string) { skipped = append(skipped, ignored{record.EventName, key, reason}) }
		name, underOriginals := strings.CutPrefix(key, contract.OriginalsPrefix)
		switch match := originalName.FindStringSubmatch(name); {
		// Event names have no "s3:" prefix, unlike in the notification's configuration.
		case !strings.HasPrefix(strings.TrimPrefix(record.EventName, "s3:"), "ObjectCreated:"):
			skip("not a new object")
		case !underOriginals:
			skip("not under " + contract.OriginalsPrefix)
		case bucket == "":
			skip("no name of a bucket")
		case match == nil:
			skip("not " + contract.OriginalsPrefix + "<id>.<extension>; the API did not write it")
		default:
			originals = append(originals, Original{Bucket: bucket, Key: key, ID: match[1]})
		}
	}
	return originals, skipped, nil
}
