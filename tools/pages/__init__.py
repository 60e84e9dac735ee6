"""The generated parts of docs/: what stands between two marks of a page is written by `make golden` and compared by a test."""
