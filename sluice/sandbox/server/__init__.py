"""The sandbox as a server: any AWS client reaches it by `AWS_ENDPOINT_URL`, while virtual time passes at a chosen speed."""
