"""What entries have in common, for zlib to refer to from the first byte of a chunk on.

Where little happens a chunk holds one entry, and most of an entry are its keys: this halves it.
It is a part of the format: files written with another one cannot be read, so whoever changes it
changes the magic in `chunks` too. What is most common stands last (RFC 1950, 2.2: FDICT).
"""

from __future__ import annotations

DICTIONARY = "".join(
    (
        '{"id":"node-1-0000","timestamp":"2026-01-01T00:00:00.000000Z","protocol":"dns",',
        '"node_name":"node-1","src":{"ip":"192.168.64.1","port":40000,"kind":"host",',
        '"name":"host"},"method":"A","url":"/","path":"/","status_code":0,',
        '"status":"NOERROR","failure":"refused","error":true,"protocol":"tcp",',
        '"name":"kube-dns","service":{"name":"kube-dns","namespace":"kube-system",',
        '"request":{"method":"GET","url":"/","path":"/","query":{},"version":"HTTP/1.1",',
        '"headers":{"host":"localhost","user-agent":"kube-probe/1.37","accept":"*/*",',
        '"connection":"close","accept-encoding":"gzip","content-type":"application/json",',
        '"content-length":"0","date":"Thu, 01 Jan 2026 00:00:00 GMT"},"body":"","body_size":0,',
        '"size":100},"response":{"status_code":200,"reason":"OK","version":"HTTP/1.1",',
        '"headers":{"content-type":"text/plain; charset=utf-8"},"body":"{\\"","body_size":0,',
        '"size":100},"dns":{"name":".default.svc.cluster.local","answer":"10.96.0.1",',
        '"id":"node-1-0000"},"conn":{"id":"10.244.0.1:40000>10.96.0.1:80@1700000000.000000",',
        '"first":true,"whole":true,"state":"open","packets":{"request":4,"response":3},',
        '"bytes":{"request":100,"response":100}},"probe":false}',
        '{"id":"node-1-0000","timestamp":"2026-01-01T00:00:00.000000Z","protocol":"http",',
        '"node_name":"node-1","src":{"ip":"10.244.0.1","port":40000,"kind":"pod","name":"",',
        '"pod":{"name":"","namespace":"default","labels":{"app":"","pod-template-hash":""},',
        '"node":"node-1","owner":{"kind":"Deployment","name":""}}},"dst":{"ip":"10.96.0.1",',
        '"port":80,"kind":"service","name":"","service":{"name":"","namespace":"default",',
        '"labels":{},"type":"ClusterIP","port":"http"}},"endpoint":{"ip":"10.244.0.1",',
        '"port":8080,"kind":"pod","name":"","pod":{"name":"","namespace":"default",',
        '"labels":{},"node":"node-2","owner":{"kind":"Deployment","name":""}}},',
        '"method":"GET","url":"/","path":"/","status_code":200,"status":"200",',
        '"summary":"GET / → 200","error":false,"failure":"","elapsed_time":1000,',
        '"timing":{"connect":null,"wait":100,"transfer":10},"bytes":{"request":100,',
        '"response":100},"request":{"method":"',
    )
).encode()
