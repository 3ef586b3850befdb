// Command protogen makes the Go code of the contract between host and plugins from its .proto file, or with -check tells
// whether the code that is there is what it would make. It needs no protoc: the compiler is a library, and the two
// generators are tools of go.mod, so that with the module cache filled it needs no network either.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	dir := flag.String("dir", "plugins/sdk/proto", "where the file is, and the code")
	name := flag.String("file", "rules.proto", "the file's name")
	check := flag.Bool("check", false, "write nothing; fail where the code is not current")
	flag.Parse()
	if err := run(context.Background(), *dir, *name, *check); err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir, name string, check bool) error {
	file, err := compile(ctx, dir, name)
	if err != nil {
		return err
	}
	var stale []string
	for _, tool := range []string{"protoc-gen-go", "protoc-gen-go-grpc"} {
		made, err := generate(ctx, tool, file)
		if err != nil {
			return fmt.Errorf("%s: %w", tool, err)
		}
		for _, f := range made {
			path := filepath.Join(dir, f.GetName())
			switch old, err := os.ReadFile(path); {
			case err == nil && bytes.Equal(old, []byte(f.GetContent())):
			case check:
				stale = append(stale, path)
			default:
				if err := os.WriteFile(path, []byte(f.GetContent()), 0o644); err != nil {
					return err
				}
			}
		}
	}
	if len(stale) > 0 {
		return fmt.Errorf("not current: %s; run make generate", strings.Join(stale, ", "))
	}
	return nil
}

// compile reads the file with its comments, which become those of the code.
func compile(ctx context.Context, dir, name string) (*descriptorpb.FileDescriptorProto, error) {
	c := protocompile.Compiler{Resolver: &protocompile.SourceResolver{ImportPaths: []string{dir}}, SourceInfoMode: protocompile.SourceInfoStandard}
	files, err := c.Compile(ctx, name)
	if err != nil {
		return nil, err
	}
	return protoutil.ProtoFromFileDescriptor(files[0]), nil
}

// generate runs one generator.
func generate(ctx context.Context, tool string, file *descriptorpb.FileDescriptorProto) ([]*pluginpb.CodeGeneratorResponse_File, error) {
	request, err := proto.Marshal(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{file.GetName()}, Parameter: proto.String("paths=source_relative"),
		ProtoFile: []*descriptorpb.FileDescriptorProto{file},
	})
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", "tool", tool)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(request), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out, &response); err != nil {
		return nil, err
	}
	if response.Error != nil {
		return nil, errors.New(response.GetError())
	}
	return response.GetFile(), nil
}
