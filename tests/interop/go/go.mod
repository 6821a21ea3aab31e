module adit-interop

go 1.18

require github.com/hashicorp/yamux v0.1.2
