// Command mirror is the Lambda function (provided.al2023) that copies the MongoDB server package into the artifacts
// bucket; see package mirror. It is invoked synchronously with a contract.MirrorRequest and answers a
// contract.MirrorAnswer, both as JSON.
//
// MIRROR_HOSTS lists the hosts, separated by commas, that it may fetch from; the default is fastdl.mongodb.org.
// 256 MB of memory and a timeout of five minutes are enough: a copy holds one part of 8 MiB.
package main

import (
	"context"
	"log/slog"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"cinema-database/app/internal/mirror"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Error("mirror: AWS configuration", "error", err)
		os.Exit(1)
	}
	lambda.Start(mirror.New(s3.NewFromConfig(settings), hosts(os.Getenv("MIRROR_HOSTS")), log).Copy)
}

// hosts parses a comma-separated list.
func hosts(list string) []string {
	var out []string
	for host := range strings.SplitSeq(list, ",") {
		if host = strings.ToLower(strings.TrimSpace(host)); host != "" {
			out = append(out, host)
		}
	}
	if out == nil {
		return []string{"fastdl.mongodb.org"}
	}
	return out
}
