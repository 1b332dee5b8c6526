package thumbnailer

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"cinema-database/app/contract"
)

// original is one uploaded image, from an event.
type original struct {
	bucket, key, id string
}

// ignored is a record of an event that does not concern this function.
type ignored struct {
	event, key, reason string
}

// originalName is the form of a key without contract.OriginalsPrefix, as the API writes it: <id>.<extension>.
var originalName = regexp.MustCompile(`^([A-Za-z0-9_-]{1,64})\.[a-z0-9]{1,8}$`)

// parse parses an S3 event notification. The error reports all invalid records; the others are still returned.
func parse(raw json.RawMessage) (originals []original, skipped []ignored, err error) {
	var event events.S3Event
	if err := json.Unmarshal(raw, &event); err != nil {
		return nil, nil, fmt.Errorf("thumbnailer: event: %w", err)
	}
	var problems []error
	for i, record := range event.Records {
		bucket, key := record.S3.Bucket.Name, record.S3.Object.URLDecodedKey
		refuse := func(field, value, reason string) {
			problems = append(problems, fmt.Errorf("thumbnailer: Records[%d].%s %q: %s", i, field, value, reason))
		}
		name, underOriginals := strings.CutPrefix(key, contract.OriginalsPrefix)
		switch match := originalName.FindStringSubmatch(name); {
		// Event names have no "s3:" prefix, unlike in the notification's configuration.
		case !strings.HasPrefix(strings.TrimPrefix(record.EventName, "s3:"), "ObjectCreated:"):
			skipped = append(skipped, ignored{record.EventName, key, "not a new object"})
		case !underOriginals:
			skipped = append(skipped, ignored{record.EventName, key, "not under " + contract.OriginalsPrefix})
		case bucket == "":
			refuse("s3.bucket.name", bucket, "empty")
		case match == nil:
			refuse("s3.object.key", key, "not "+contract.OriginalsPrefix+"<id>.<extension>; the API did not write it")
		default:
			originals = append(originals, original{bucket: bucket, key: key, id: match[1]})
		}
	}
	return originals, skipped, errors.Join(problems...)
}
