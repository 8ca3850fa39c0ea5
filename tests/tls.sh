# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# What the tests of TLS share. To be sourced behind lib.sh.

need_tls
need openssl python3

# make_ca NAME: makes a CA, NAME.pem and NAME.key.
make_ca()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
		-keyout "$1.key" -out "$1.pem" 2>.openssl || bail_out "no CA: $(cat .openssl)"
}

# make_certificate NAME CA SUBJECT [ALTERNATIVES] [TRUE]: makes NAME.pem and NAME.key, signed by the CA; TRUE: for a
# CA below it.
make_certificate()
{
	{
		openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$3" \
			-keyout "$1.key" -out "$1.request" &&
			openssl x509 -req -in "$1.request" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 \
				-out "$1.pem" -extfile <(echo "basicConstraints=CA:${5:-FALSE}${4:+
subjectAltName=$4}")
	} >.openssl 2>&1 || bail_out "no certificate: $(cat .openssl)"
}

# What every script needs: a CA, a server and a client.
make_ca ca
make_certificate server ca /CN=localhost "DNS:localhost,IP:127.0.0.1,IP:::1"
make_certificate sensor ca /CN=sensor-7

OWN_TLS=(-tls-cert "$SCRATCH/server.pem" -tls-key "$SCRATCH/server.key")
SERVER_TLS=("${OWN_TLS[@]}" -tls-ca "$SCRATCH/ca.pem")
CLIENT_TLS=(-tls-ca "$SCRATCH/ca.pem" -tls-cert "$SCRATCH/sensor.pem" -tls-key "$SCRATCH/sensor.key")

# tls_peers: from here on those of peer.py speak TLS.
tls_peers()
{
	export PEER_CA=$SCRATCH/ca.pem PEER_CERT=$SCRATCH/sensor.pem PEER_KEY=$SCRATCH/sensor.key
}

# tls_mocks: so do the servers that are no program under test: start_mock, and those that use served() of peer.py.
tls_mocks()
{
	export PEER_SERVER_CERT=$SCRATCH/server.pem PEER_SERVER_KEY=$SCRATCH/server.key
}
