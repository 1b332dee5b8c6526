// Command thumbnailer is the Lambda function (provided.al2023, `bootstrap`) that makes thumbnails of uploaded
// pictures; see package thumbnailer. It takes no settings but AWS's own.
//
// It needs 1024 MB: a 12-megapixel photograph takes some 100 MiB, but the worst case that is taken,
// thumbnail.MaxPixels as a progressive JPEG, takes 15 bytes a pixel. At 1769 MB Lambda gives a whole CPU.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"cinema-database/app/internal/thumbnailer"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Error("thumbnailer: AWS configuration", "error", err)
		os.Exit(1)
	}
	client := s3.NewFromConfig(settings, func(o *s3.Options) {
		// Objects that carry no checksum are no news.
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	handler := &thumbnailer.Thumbnailer{S3: client, Log: log}
	lambda.Start(handler.Handle)
}
