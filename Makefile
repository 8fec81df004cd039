# Each target is one line: the work is in ops/. A fresh machine needs Python 3.11 and nothing else.
# Words count from the command line only: an environment may have them for something else (WSL sets NAME).
STACK = local
OUT = out/$(STACK)
VOLUMES = keep
PYTHON = python3
$(foreach word,BASE DIR DRAFT FILL FROM INTO JSON LIVE MODEL NAME ONLY REPLACE,$(eval $(word) =))
OPS = '$(PYTHON)' -m ops

.PHONY: up chat preview render diff drift upgrades verify documents secret vault images backup restore destroy doctor compose test live
up: ; @$(OPS) up --stack '$(STACK)'
chat: ; @$(OPS) chat $(if $(MODEL),--model '$(MODEL)')
preview: ; @$(OPS) preview --stack '$(STACK)'
render: ; @$(OPS) render --stack '$(STACK)' --out '$(OUT)'
compose: ; @$(OPS) compose --stack '$(STACK)' --out '$(OUT)' $(if $(DRAFT),--draft)
diff: ; @$(OPS) diff --stack '$(STACK)' $(if $(BASE),--base '$(BASE)') $(if $(LIVE),--live)
drift: ; @$(OPS) drift --stack '$(STACK)' $(if $(JSON),--json)
upgrades: ; @$(OPS) upgrades $(if $(NAME),--name '$(NAME)')
verify: ; @$(OPS) verify --stack '$(STACK)' $(if $(JSON),--json)
documents: ; @$(OPS) documents --stack '$(STACK)' $(if $(DIR),--dir '$(DIR)')
secret: ; @$(OPS) secret --stack '$(STACK)' $(if $(NAME),--name '$(NAME)')
vault: ; @$(OPS) vault --stack '$(STACK)' $(if $(FILL),--fill) $(if $(NAME),--name '$(NAME)')
images: ; @$(OPS) images --stack '$(STACK)'
backup: ; @$(OPS) backup --stack '$(STACK)' $(if $(filter-out file,$(origin OUT)),--out '$(OUT)')
restore: ; @$(OPS) restore --stack '$(STACK)' $(if $(FROM),--from '$(FROM)') $(if $(INTO),--into '$(INTO)') $(if $(NAME),--name '$(NAME)') $(if $(filter yes,$(REPLACE)),--replace)
destroy: ; @$(OPS) destroy --stack '$(STACK)' --volumes '$(VOLUMES)'
doctor: ; @$(OPS) doctor --stack '$(STACK)'
test: ; @$(OPS) test $(if $(ONLY),--only '$(ONLY)')
live: ; @$(OPS) live --stack '$(STACK)'
