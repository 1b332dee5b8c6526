package thumbnailer

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// picture is one uploaded picture that an event names.
type picture struct {
	bucket, key, id string
}

// thumbnailKey is where the picture's thumbnail goes.
func (p picture) thumbnailKey() string { return "thumb/" + p.id + ".jpg" }

// ignored is one record that an event names and that is none of this function's business.
type ignored struct {
	event, key, reason string
}

// originalKey is the only form in which the API writes pictures; the id is its own.
var originalKey = regexp.MustCompile(`^orig/([A-Za-z0-9_-]{1,64})\.[a-z0-9]{1,8}$`)

// parse reads an S3 event notification. Records that it cannot understand are errors, all of them at once; the
// others are still returned.
func parse(raw json.RawMessage) (pictures []picture, skipped []ignored, err error) {
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
		switch match := originalKey.FindStringSubmatch(key); {
		// Notifications carry the name without the "s3:" that their configuration has.
		case !strings.HasPrefix(strings.TrimPrefix(record.EventName, "s3:"), "ObjectCreated:"):
			skipped = append(skipped, ignored{record.EventName, key, "not a new object"})
		case !strings.HasPrefix(key, "orig/"):
			skipped = append(skipped, ignored{record.EventName, key, "not under orig/"})
		case bucket == "":
			refuse("s3.bucket.name", bucket, "empty")
		case match == nil:
			refuse("s3.object.key", key, "not orig/<id>.<extension>; something other than the API wrote it")
		default:
			pictures = append(pictures, picture{bucket: bucket, key: key, id: match[1]})
		}
	}
	return pictures, skipped, errors.Join(problems...)
}
