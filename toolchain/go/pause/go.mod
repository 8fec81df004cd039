module aihub/toolchain/pause

go 1.21
